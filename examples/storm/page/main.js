import { Calls } from './calls.js';
import { createApp, plainClient, plainOrders, steadyClient, steadyOrders } from './client.js';
import { openKitchen } from './kitchen.js';
import { showOrders } from './orders.js';
import { showPanels } from './panels.js';
import { Timeline } from './timeline.js';
import { createToasts } from './toasts.js';
import { showWeather } from './weather.js';

const calls = new Calls();
const app = createApp({ onNotice: createToasts(), onRequest: calls.sent, onResponse: calls.seen });
app.on(calls.hear);

const notSent = showPanels(app);
new Timeline(document.getElementById('timeline'), document.getElementById('calls'), calls);

const steady = steadyClient(app, {
  begin: (method, url) => calls.begin(method, url),
  settle(row, result) {
    calls.settle(row, result);
    if (!result.ok) notSent(result.error);
  },
});
const plain = plainClient(calls);

await showWeather();
const isPlain = () => document.getElementById('plain').checked;
openKitchen(() => (isPlain() ? plain : steady));
showOrders(() => (isPlain() ? plainOrders() : steadyOrders(app)), calls.stream);
