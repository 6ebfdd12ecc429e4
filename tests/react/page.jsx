// Runs in the pages: shows a component of the app, and lets the test show it with other props, or take it away.
import * as evenkeel from 'evenkeel';
import { StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

/**
 * @param {Record<string, import('react').ComponentType<any>>} components what the app exports
 * @param {{ component: string, props?: (library: typeof evenkeel) => object, strict: boolean, hydrate: boolean }} how
 */
export function start(components, { component, props, strict, hydrate }) {
  const container = /** @type {HTMLElement} */ (document.querySelector('#root'));
  const served = JSON.parse(document.querySelector('#props')?.textContent ?? '{}');
  let shown = { ...served, ...props?.(evenkeel) };

  const element = () => {
    const Shown = components[component];
    return strict ? (
      <StrictMode>
        <Shown {...shown} />
      </StrictMode>
    ) : (
      <Shown {...shown} />
    );
  };

  const root = hydrate ? hydrateRoot(container, element()) : createRoot(container);
  if (!hydrate) root.render(element());
  Object.assign(window, {
    evenkeel,
    show(/** @type {object} */ more) {
      shown = { ...shown, ...more };
      root.render(element());
    },
    unmount: () => root.unmount(),
  });
}
