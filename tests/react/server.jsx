// Runs in Node.js: what a server sends as the first paint.
import { Writable } from 'node:stream';
import { StrictMode } from 'react';
import { renderToPipeableStream } from 'react-dom/server';

/** @param {import('react').ComponentType<any>} Shown @param {object} props @param {boolean} strict @returns {Promise<string>} */
export function toHtml(Shown, props, strict) {
  const element = strict ? (
    <StrictMode>
      <Shown {...props} />
    </StrictMode>
  ) : (
    <Shown {...props} />
  );
  return new Promise((resolve, reject) => {
    let html = '';
    const sink = new Writable({
      write(chunk, _, done) {
        html += chunk;
        done();
      },
    });
    sink.on('finish', () => resolve(html));
    const stream = renderToPipeableStream(element, { onError: reject, onAllReady: () => stream.pipe(sink) });
  });
}
