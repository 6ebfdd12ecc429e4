/** @typedef {import('./types.mjs').RetryAfter} RetryAfter */

/**
 * `Retry-After` in every form that HTTP knows, as values for a step's `retryAfter`. Dates are made when the answer is sent; since
 * they have whole seconds, `msAhead` is rounded up to whole seconds after the answer's own `Date`.
 */
export const retryAfter = {
  /** @param {number} n @returns {RetryAfter} */
  seconds: (n) => ({ form: 'seconds', value: n }),
  /** The `retry-after-ms` header. @param {number} n @returns {RetryAfter} */
  ms: (n) => ({ form: 'ms', value: n }),
  /** `Sun, 06 Nov 1994 08:49:37 GMT`. @param {number} msAhead @returns {RetryAfter} */
  imfFixdate: (msAhead) => ({ form: 'imfFixdate', value: msAhead }),
  /** `Sunday, 06-Nov-94 08:49:37 GMT`. @param {number} msAhead @returns {RetryAfter} */
  rfc850: (msAhead) => ({ form: 'rfc850', value: msAhead }),
  /** `Sun Nov  6 08:49:37 1994`. @param {number} msAhead @returns {RetryAfter} */
  asctime: (msAhead) => ({ form: 'asctime', value: msAhead }),
};

/**
 * @param {RetryAfter | string} given
 * @param {number} now the server's clock, epoch milliseconds
 * @returns {[name: string, value: string]}
 */
export function retryAfterHeader(given, now) {
  if (typeof given === 'string') return ['Retry-After', given];
  const { form, value } = given;
  if (form === 'seconds') return ['Retry-After', String(value)];
  if (form === 'ms') return ['retry-after-ms', String(value)];
  const write = dateForms[form];
  if (!write)
    throw new TypeError(
      `retryAfter: no form '${form}'; there are seconds, ms, ${Object.keys(dateForms).join(', ')}`,
    );
  return ['Retry-After', write(new Date((Math.floor(now / 1000) + Math.ceil(value / 1000)) * 1000))];
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const twoDigits = (/** @type {number} */ n) => String(n).padStart(2, '0');
const clock = (/** @type {Date} */ date) => date.toISOString().slice(11, 19);

/** RFC 9110, section 5.6.7. @type {Record<string, (date: Date) => string>} */
export const dateForms = {
  imfFixdate: (date) => date.toUTCString(),
  rfc850: (date) =>
    `${days[date.getUTCDay()]}, ${twoDigits(date.getUTCDate())}-${months[date.getUTCMonth()]}-${twoDigits(date.getUTCFullYear() % 100)} ${clock(date)} GMT`,
  asctime: (date) =>
    `${days[date.getUTCDay()].slice(0, 3)} ${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock(date)} ${date.getUTCFullYear()}`,
};
