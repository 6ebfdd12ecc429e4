/**
 * What the demo's API answers when all is well: a canteen with meals, their stock, and orders.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 */
export const MEALS = [
  { id: 1, name: 'Lentil soup', with: 'cumin, lemon', price: 5.2 },
  { id: 2, name: 'Potato gratin', with: 'leek, cheese', price: 7.4 },
  { id: 3, name: 'Rice bowl', with: 'tofu, sesame', price: 8.1 },
  { id: 4, name: 'Plum dumplings', with: 'cinnamon', price: 6.3 },
];

/** A server that does a little work. */
const workMs = () => 120 + Math.random() * 200;

/**
 * @param {FaultServer} server
 * @param {(order: { meal: string, count: number, from: string }) => void} tell hears each order once
 * @param {(request: import('../../tests/server/recorder.mjs').RecordedRequest) => string | null} nameOf who asks
 */
export function openKitchen(server, tell, nameOf) {
  /** Orders by idempotency key: the same key is the same order, however often it arrives. @type {Map<string, object>} */
  const orders = new Map();
  let portions = 0;

  server.on('GET /api/meals', () => ({ delayMs: workMs(), body: { meals: MEALS } }));
  server.on('GET /api/stock/*', ({ path }) => {
    const id = Number(path.split('/').at(-1));
    return { delayMs: workMs(), body: { id, left: 40 - ((id * 7) % 23) } };
  });
  server.on('POST /api/orders', (request) => {
    const from = nameOf(request);
    if (from === null) return { status: 401, delayMs: workMs(), body: { code: 'signedOut' } };
    const key = request.headers['idempotency-key'] ?? `without a key ${orders.size}`;
    const { meal, count } = request.json();
    if (!orders.has(key)) {
      portions += count;
      orders.set(key, { number: orders.size + 1, meal, count });
      tell({ meal, count, from });
    }
    return {
      status: 201,
      delayMs: workMs(),
      body: { order: orders.get(key), orders: orders.size, portions },
    };
  });
}
