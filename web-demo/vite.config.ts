import { defineConfig } from 'vite';

/** Where `npm start` runs, for `npx vite web-demo` while working on the page. */
const GATEWAY = 'http://127.0.0.1:8080';

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses: the gateway may stand behind a prefix.
  base: './',
  build: {
    outDir: '../dist/web-demo',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined files would be `data:` addresses, which the page's content security policy does not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: GATEWAY, ws: true } } },
});
