/** `window.alive()` says how many timers, channels and listeners of the page are not over; `window.brief()` how many timers are of a few seconds. @param {import('playwright-core').Page} page */
export const withCounts = (page) => page.addInitScript(counted);

/* Runs in the page, before its scripts. */
function counted() {
  const alive = { listeners: 0, channels: 0, timers: new Map() };
  window.brief = () => [...alive.timers.values()].filter((ms) => ms < 5_000).length;
  window.alive = () => ({ listeners: alive.listeners, channels: alive.channels, timers: alive.timers.size });
  const isPage = (target) => target === window || target === document;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    addEventListener.call(this, type, listener, options);
    if (!isPage(this ?? window)) return;
    alive.listeners++;
    if (options?.signal) addEventListener.call(options.signal, 'abort', () => alive.listeners--);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    removeEventListener.call(this, type, listener, options);
    if (isPage(this ?? window)) alive.listeners--;
  };
  const Channel = BroadcastChannel;
  window.BroadcastChannel = class extends Channel {
    constructor(name) {
      super(name);
      alive.channels++;
    }
    close() {
      super.close();
      alive.channels--;
    }
  };
  for (const [set, clear] of [
    ['setTimeout', 'clearTimeout'],
    ['setInterval', 'clearInterval'],
  ]) {
    const [realSet, realClear] = [window[set], window[clear]];
    window[set] = (run, ms, ...args) => {
      const timer = realSet(() => {
        if (set === 'setTimeout') alive.timers.delete(timer);
        run(...args);
      }, ms);
      alive.timers.set(timer, ms ?? 0);
      return timer;
    };
    window[clear] = (timer) => {
      alive.timers.delete(timer);
      realClear(timer);
    };
  }
}
