/**
 * Pages: one after another, by cursor, by number or by Link header, never more than the limit each.
 */
import { checkPages } from './config.js';
import { StabilityError } from './errors.js';
import type { Requests } from './request.js';
import type { ApiClient, PageOptions } from './types.js';

const MAX_PAGES = 1_000;

function itemsOf(body: any): unknown[] {
  const items = Array.isArray(body) ? body : (body?.items ?? body?.data ?? body?.results);
  if (!Array.isArray(items)) throw new TypeError('the page holds no list; say where it is with `items`');
  return items;
}

const nextOf = (body: any): string | number | null => body?.nextCursor ?? body?.next_cursor ?? null;

/** The generator behind `api.pages`. */
export function createPages(
  get: ApiClient['get'],
  requests: Requests,
  nextLink: (header: string) => string | undefined,
): ApiClient['pages'] {
  return async function* <T>(first: string | URL, given: PageOptions<T>) {
    const method = 'GET';
    let options: PageOptions<T>;
    try {
      options = checkPages<T>(given);
    } catch (cause) {
      throw new StabilityError('invalid', { method, url: String(first), cause });
    }
    const { limit, maxPages = MAX_PAGES, by = 'cursor', items = itemsOf, next = nextOf, ...call } = options;
    let url = first;
    let query: PageOptions<T>['query'] = { ...call.query, limit, ...(by === 'page' && { page: 1 }) };
    const seen = new Set<string>();
    for (let page = 1; page <= maxPages; page++) {
      const result = await get<any>(url, { ...call, query });
      if (!result.ok) throw result.error;
      const { data, headers, status } = result;
      const broken = (cause: unknown): StabilityError =>
        new StabilityError('parse', {
          method,
          url: String(url),
          status,
          attempts: result.meta.attempts,
          cause,
        });
      let list: T[];
      let cursor: string | number | null | undefined;
      try {
        list = items(data) as T[];
        if (!Array.isArray(list)) throw new TypeError('`items` returned no array');
        if (by === 'cursor') cursor = next(data, headers);
      } catch (cause) {
        throw broken(cause);
      }
      // A server that ignores the limit does not get to choose how much the page renders at once.
      for (let at = 0; at < list.length; at += limit) yield list.slice(at, at + limit);
      if (by === 'page') {
        if (list.length < limit) return;
        query = { ...query, page: page + 1 };
        continue;
      }
      if (by === 'link') {
        const link = headers.get('link');
        const target = link && nextLink(link);
        if (!target) return;
        const to = new URL(target, requests.resolve(url));
        if (!requests.isTrusted(to))
          throw broken(new TypeError('the next page is on an origin that is not trusted'));
        if (page === 1) seen.add(requests.plan(method, url, undefined, { query }).url);
        cursor = to.href;
        url = to;
        query = undefined; // the link says it all
      } else {
        if (cursor === null || cursor === undefined || cursor === '') return;
        query = { ...query, cursor };
      }
      // A server that sends the same page for ever is stopped here, not at maxPages.
      if (seen.has(`${cursor}`))
        throw broken(new TypeError('the server names a page as next that was read already'));
      seen.add(`${cursor}`);
    }
  };
}
