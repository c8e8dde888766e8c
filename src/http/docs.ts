/** The interface described: an OpenAPI document made of the schemas, and a page to read it, served by ourselves. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import { getAbsoluteFSPath } from 'swagger-ui-dist';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { Failure } from '../domain/failure.ts';
import { deepgramPaths } from './deepgram/paths.ts';
import { deliveryPaths } from './deliveries.ts';
import { eventPaths } from './events.ts';
import { openAiPaths } from './openai/paths.ts';
import { realtimePaths } from './openai/realtime.ts';
import { operationPaths } from './operations.ts';
import type { Env, Routes } from './parts.ts';
import { sessionPaths } from './sessions.ts';

/** The whole interface but for the WebSocket, which OpenAPI cannot describe; its address is in the text. */
export const PATHS: ZodOpenApiPathsObject = {
  ...sessionPaths,
  ...deepgramPaths,
  ...deliveryPaths,
  ...eventPaths,
  ...openAiPaths,
  ...operationPaths,
  ...realtimePaths,
};

const DESCRIPTION = `Live speech in, words while they are spoken, then a language model's tokens.

Audio goes up and events come down over a WebSocket at \`/v1/sessions/{id}/stream\`, or in one step at
\`/v1/stream?language=ko&audio.sampleRateHz=16000\`. Every durable event is stored before it is sent.`;

/** The OpenAPI 3.1 document. */
export const openApiDocument = (version: string): ReturnType<typeof createDocument> =>
  createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Earshot',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths: PATHS,
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    security: [{ key: [] }],
  });

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Earshot: the interface</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/v1/openapi.json', dom_id: '#docs', deepLinking: true });\n`;

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** The routes of this face. @param version The package's, shown in the document. */
export function docsRoutes(version: string): Routes {
  const routes: Routes = new Hono<Env>();
  const document = openApiDocument(version);
  routes.get('/v1/openapi.json', (c) => c.json(document));
  routes.get('/docs', (c) => c.html(PAGE));
  routes.get('/docs/start.js', (c) =>
    c.body(START, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  routes.get('/docs/:file', async (c) => {
    const contentType = FILES[c.req.param('file')];
    if (!contentType) throw new Failure('not_found', 'There is nothing here.');
    const body = await readFile(join(getAbsoluteFSPath(), c.req.param('file')));
    return c.body(body, 200, { 'content-type': contentType, 'cache-control': 'max-age=86400' });
  });
  return routes;
}
