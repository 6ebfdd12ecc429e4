import { Calls } from './calls.js';
import { createApp, plainClient, steadyClient } from './client.js';
import { openKitchen } from './kitchen.js';
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
openKitchen(() => (document.getElementById('plain').checked ? plain : steady));
