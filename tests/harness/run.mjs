/**
 * Calls `fn` in the page and brings back what it returns, or resolves to, as plain data: errors with their fields, headers and maps
 * as objects, dates as ISO text, functions left out.
 * @template A
 * @param {import('playwright-core').Page} page
 * @param {(argument: A) => unknown} fn runs in the page, and sees nothing of the test's file
 * @param {A} [argument] plain data
 * @returns {Promise<any>}
 */
export async function run(page, fn, argument) {
  // Boxed, since a handle to a primitive, or to what has a `then`, is not a handle to an object.
  const source = `async (argument) => ({ value: await (${fn})(argument) })`;
  const handle = await page.evaluateHandle(`(${source})(${JSON.stringify(argument) ?? 'undefined'})`);
  try {
    return await handle.evaluate(plain);
  } finally {
    await handle.dispose();
  }
}

/* Runs in the page. */
/** @param {any} box */
function plain(box) {
  const DEPTH_MAX = 12;
  const ERROR_FIELDS = [
    'name',
    'message',
    'kind',
    'status',
    'method',
    'url',
    'attempts',
    'retryable',
    'retryAfterMs',
    'requestId',
    'body',
    'code',
  ];
  /** @param {any} value @param {any[]} parents @returns {any} */
  const flat = (value, parents) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return typeof value === 'symbol' ? String(value) : value;
    if (parents.includes(value) || parents.length > DEPTH_MAX) return '[circular or too deep]';
    const within = [...parents, value];
    if (value instanceof Error || value instanceof DOMException) {
      const fields = ERROR_FIELDS.filter((field) => /** @type {any} */ (value)[field] !== undefined);
      const error = Object.fromEntries(
        fields.map((field) => [field, flat(/** @type {any} */ (value)[field], within)]),
      );
      return value.cause === undefined ? error : { ...error, cause: flat(value.cause, within) };
    }
    if (value instanceof Date) return value.toISOString();
    if (value instanceof URL) return value.href;
    if (value instanceof Headers || value instanceof Map || value instanceof FormData)
      return flat(Object.fromEntries(value), within);
    if (value instanceof Set) return flat([...value], within);
    if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
    if (ArrayBuffer.isView(value))
      return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    if (value instanceof Blob) return { type: value.type, size: value.size };
    if (value instanceof Response) {
      const { ok, status, statusText, url, redirected, type, headers } = value;
      return { ok, status, statusText, url, redirected, type, headers: flat(headers, within) };
    }
    if (value instanceof MessageEvent) {
      const { type, data, lastEventId, origin } = value;
      return { type, data: flat(data, within), lastEventId, origin };
    }
    if (value instanceof Node || value instanceof Event) return String(value);
    if (Array.isArray(value)) return value.map((item) => flat(item, within));
    const own = Object.entries(value).filter(([, item]) => typeof item !== 'function');
    return Object.fromEntries(own.map(([key, item]) => [key, flat(item, within)]));
  };
  return flat(box.value, []);
}
