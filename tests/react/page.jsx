// Runs in the pages: shows a component of the app, and lets the test show it with other props, or take it away.
import * as evenkeel from 'evenkeel';
import { StrictMode, useEffect } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

/** Says when what it holds is on the page, and its effects have run. @param {{ onShown: () => void, children: import('react').ReactNode }} props */
function Root({ onShown, children }) {
  useEffect(() => onShown());
  return children;
}

/**
 * @param {Record<string, import('react').ComponentType<any>>} components what the app exports
 * @param {{ component: string, props?: (library: typeof evenkeel) => object, strict: boolean, hydrate: boolean }} how
 * @returns {Promise<unknown>} once it is shown, or something threw
 */
export function start(components, { component, props, strict, hydrate }) {
  const container = /** @type {HTMLElement} */ (document.querySelector('#root'));
  const served = JSON.parse(document.querySelector('#props')?.textContent ?? '{}');
  let shown = { ...served, ...props?.(evenkeel) };

  let turns = 0;
  /** @type {Array<{ turn: number, go: (value?: unknown) => void }>} */
  const waiting = [];
  const isShown = (/** @type {number} */ turn) => {
    while (waiting.length && waiting[0].turn <= turn) waiting.shift()?.go();
  };
  addEventListener('error', () => isShown(Infinity));

  const element = () => {
    const Shown = components[component];
    const turn = ++turns;
    const content = (
      <Root onShown={() => isShown(turn)}>
        <Shown {...shown} />
      </Root>
    );
    return strict ? <StrictMode>{content}</StrictMode> : content;
  };
  /** Settles once the newest one is shown, or something threw. */
  const isDone = () => new Promise((go) => waiting.push({ turn: turns, go }));

  const root = hydrate ? hydrateRoot(container, element()) : createRoot(container);
  if (!hydrate) root.render(element());
  Object.assign(window, {
    evenkeel,
    show(/** @type {object} */ more) {
      shown = { ...shown, ...more };
      root.render(element());
      return isDone();
    },
    unmount() {
      root.unmount();
      isShown(Infinity);
    },
  });
  return isDone();
}
