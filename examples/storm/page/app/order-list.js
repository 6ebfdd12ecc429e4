/**
 * The newest orders of one stream, and what was missed of them: the server counts them, and so does this page.
 *
 * @typedef {object} OrderList
 * @property {string} stream another one begins with an empty list
 * @property {string | null} person whose stream it is; '' is nobody, null is not known
 * @property {Array<{ key: number, id: string, order: object, lateMs: number }>} tickets the newest first
 * @property {number} last id
 * @property {number} missed
 * @property {number} repeated
 * @property {number} received
 */
const KEPT_MAX = 24;

/** @type {OrderList} */
export const EMPTY = { stream: '', person: null, tickets: [], last: 0, missed: 0, repeated: 0, received: 0 };

/** What there is of one stream. @param {OrderList} list @param {string} stream */
export const listOf = (list, stream) => (list.stream === stream ? list : { ...EMPTY, stream });

/**
 * Ids are consecutive, from the first that came. For somebody else a shared stream begins anew.
 *
 * @param {OrderList} list @param {{ id: string, order: object, lateMs: number }} ticket @param {string | null} person
 * @returns {OrderList}
 */
export function withTicket(list, ticket, person) {
  const isOther = person !== null && list.person !== null && person !== list.person;
  const id = Number(ticket.id);
  const last = isOther ? 0 : list.last;
  const received = list.received + 1;
  return {
    stream: list.stream,
    person: person ?? list.person,
    tickets: [{ ...ticket, key: received }, ...list.tickets].slice(0, KEPT_MAX),
    last: Math.max(last, id),
    missed: list.missed + (last && id > last ? id - last - 1 : 0),
    repeated: list.repeated + (id <= last ? 1 : 0),
    received,
  };
}
