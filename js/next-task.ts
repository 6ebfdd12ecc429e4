/**
 * Giving way: what the page has to do meanwhile is done first.
 */

/** Resolves in a task of its own. A timer would do, but for hidden pages, where timers come once a second. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
