import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { installPeers } from '../harness/peers.mjs';

/** The script of a page with React and next-auth of that generation. @param {import('./server.mjs').Generation} generation */
export async function bundlePage(generation) {
  const peers = join(await installPeers('auth'), 'node_modules');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.jsx', import.meta.url))],
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}' },
    alias: {
      'next-auth': `next-auth-v${generation}`,
      // Of two Reacts in one page, hooks of one find nothing of the other.
      react: join(peers, 'react'),
      'react-dom': join(peers, 'react-dom'),
    },
    nodePaths: [peers],
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}
