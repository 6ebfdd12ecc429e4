/**
 * Bodies: what is sent, and what is read. They stay in JavaScript and never travel through wasm memory.
 */
import { type ErrorFields, StabilityError } from './errors.js';
import type { RequestOptions, StandardSchemaV1 } from './types.js';
import { BROKEN, TOO_LARGE, WHOLE } from './wire.js';

/** Of a response that is not the last one, so much is read for its error. */
export const DRAIN_BYTES = 65_536;

let decoder: TextDecoder | undefined;
export const decode = (bytes: Uint8Array): string => (decoder ??= new TextDecoder()).decode(bytes);

/** Whether `fetch` takes it as it is. */
const isRaw = (body: unknown): body is BodyInit =>
  typeof body === 'string' ||
  body instanceof FormData ||
  body instanceof URLSearchParams ||
  body instanceof Blob ||
  body instanceof ArrayBuffer ||
  ArrayBuffer.isView(body) ||
  body instanceof ReadableStream;

/** The body as `fetch` takes it, and its content type where `fetch` would not know it. Throws what cannot be serialised. */
export function serialise(body: unknown): [body: BodyInit | undefined, type?: string] {
  if (body === undefined || isRaw(body)) return [body];
  const text = JSON.stringify(body);
  if (text === undefined) throw new TypeError(`a ${typeof body} cannot be sent as JSON`);
  return [text, 'application/json'];
}

const EMPTY = new Uint8Array();

/**
 * Reads all of a body, up to `limit` bytes; `onPiece` is told of each piece. Never rejects, and ends with the signal even where the body
 * knows nothing of it: a hook may have put in its own.
 */
export async function readBody(
  response: Response,
  limit: number,
  onPiece?: () => void,
  signal?: AbortSignal,
): Promise<[end: number, bytes: Uint8Array]> {
  const reader = response.body?.getReader();
  if (!reader) return [WHOLE, EMPTY];
  const pieces: Uint8Array[] = [];
  let length = 0;
  const cancel = () => reader.cancel().catch(() => {});
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      length += value.length;
      if (length > limit) {
        cancel();
        return [TOO_LARGE, EMPTY];
      }
      onPiece?.();
    }
  } catch {
    return [BROKEN, EMPTY];
  }
  if (signal?.aborted) return [BROKEN, EMPTY];
  if (pieces.length < 2) return [WHOLE, pieces[0] ?? EMPTY];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return [WHOLE, bytes];
}

/** Reads a little, for the error of a call that ends before another answer comes. */
export const drainBody = (response: Response, signal?: AbortSignal) =>
  readBody(response, DRAIN_BYTES, undefined, signal);

const typeOf = (response: Response): string => response.headers.get('content-type') ?? '';
/** Whether it holds HTML; an empty body may say so, and holds none. */
export const isHtml = (response: Response): boolean =>
  /^text\/html\b/i.test(typeOf(response)) &&
  response.status !== 204 &&
  response.status !== 205 &&
  response.headers.get('content-length') !== '0';
const isJson = (type: string): boolean => /^[^;]*[/+]json\b/i.test(type);
const isText = (type: string): boolean => /^\s*text\/|[/+]xml\b|javascript|x-www-form-urlencoded/i.test(type);

/** The body in the form that was asked for; no body is null. Throws a SyntaxError. */
export function parseBody(
  bytes: Uint8Array,
  response: Response,
  parse: RequestOptions['parse'] = 'auto',
): unknown {
  const type = typeOf(response);
  if (parse === 'none') return null;
  if (parse === 'text') return decode(bytes);
  if (parse === 'arrayBuffer') return bytes.slice().buffer;
  if (parse === 'blob') return new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
  if (!bytes.length) return null;
  if (parse === 'json' || isJson(type)) return JSON.parse(decode(bytes));
  if (isText(type)) return decode(bytes);
  if (type) return new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
  const text = decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What an error says of its body: JSON, else text, else nothing. */
export function parseErrorBody(bytes: Uint8Array | undefined, response: Response): unknown {
  if (!bytes?.length) return null;
  const type = typeOf(response);
  if (type && !isText(type) && !isJson(type)) return null;
  const text = decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the schema makes of the data; throws a StabilityError of kind 'parse' with the issues as its cause. */
export async function validate(
  schema: StandardSchemaV1,
  data: unknown,
  fields: ErrorFields,
): Promise<unknown> {
  const result = (await schema['~standard'].validate(data)) as { value: unknown; issues?: unknown };
  if (result.issues) throw new StabilityError('parse', { ...fields, cause: result.issues });
  return result.value;
}
