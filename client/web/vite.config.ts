import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the server. */
const SERVER = 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': SERVER, '/ws': { target: SERVER, ws: true } } },
  build: {
    target: 'es2022',
    // Files of their own for fonts and images: the content security policy is about where they come from.
    assetsInlineLimit: 0,
    // Monaco is one chunk of this size, and only the editor loads it.
    chunkSizeWarningLimit: 4000,
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    // One worker that keeps its modules: importing Monaco takes longer than all tests.
    isolate: false,
    maxWorkers: 1,
    testTimeout: 20_000,
    experimental: { fsModuleCache: true },
    server: { deps: { inline: ['monaco-editor'] } },
  },
});
