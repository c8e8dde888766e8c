import { WebSocket } from 'ws';
import { Earshot } from '../client/earshot.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** The options by which every command finds its gateway, for `parseArgs`. */
export const GATEWAY_OPTIONS = {
  url: { type: 'string' },
  key: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** How they are explained. */
export const GATEWAY_HELP = `  --url <address>     the gateway; default $EARSHOT_URL, then ${DEFAULT_URL}
  --key <key>         an API key, where the gateway asks for one; default $EARSHOT_KEY
  -h, --help          this text`;

export interface GatewayAddress {
  readonly url: string;
  readonly client: Earshot;
}

/** The gateway that was asked for, or the one that `npm start` runs. @throws TypeError where the address is none. */
export function gatewayAt(given: { url?: string | undefined; key?: string | undefined }): GatewayAddress {
  const url = given.url ?? process.env.EARSHOT_URL ?? DEFAULT_URL;
  const apiKey = given.key ?? process.env.EARSHOT_KEY;
  return { url, client: new Earshot({ url, apiKey, WebSocket }) };
}
