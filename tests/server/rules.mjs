import { toPredicate } from './recorder.mjs';

/**
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./types.mjs').StepLike} StepLike
 * @typedef {import('./types.mjs').Matcher} Matcher
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 */

const STEP_KEYS = new Set([
  'status',
  'headers',
  'body',
  'pieces',
  'stream',
  'delayMs',
  'bodyDelayMs',
  'cutAfterBytes',
  'cut',
  'reset',
  'stallAfterBytes',
  'hang',
  'pass',
  'retryAfter',
  'dateSkewMs',
]);
const DYNAMIC_DEPTH_MAX = 10;

/**
 * What a script says, as a step.
 * @param {StepLike} given
 * @param {RecordedRequest} request
 * @returns {Promise<Step>}
 */
export async function toStep(given, request) {
  for (let depth = 0; typeof given === 'function' && depth < DYNAMIC_DEPTH_MAX; depth++)
    given = await given(request);
  return checkStep(given);
}

/** @param {unknown} given @returns {Step} */
export function checkStep(given) {
  if (typeof given === 'number') return { status: given };
  if (given === 'hang') return { hang: true };
  if (given === 'pass') return { pass: true };
  if (given === 'cut') return { cut: 'beforeHeaders' };
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `${String(given)} is no step: a status, 'hang', 'pass', 'cut', an object, or a function that gives one`,
    );
  }
  for (const key of Object.keys(given)) {
    if (!STEP_KEYS.has(key))
      throw new TypeError(`a step has no '${key}'; it has ${[...STEP_KEYS].join(', ')}`);
  }
  return given;
}

/** Steps for the requests that match, one for each, the last one again and again. */
export class Rule {
  /** How many requests have taken a step. */
  taken = 0;

  /**
   * @param {Matcher} matcher
   * @param {StepLike | StepLike[]} steps
   * @param {{ chance?: number }} [options] the share of requests that it answers, 0 to 1; others are left to other rules
   */
  constructor(matcher, steps, { chance = 1 } = {}) {
    this.matcher = matcher;
    this.matches = toPredicate(matcher);
    this.steps = Array.isArray(steps) ? [...steps] : [steps];
    if (this.steps.length === 0) throw new TypeError(`the script for ${matcher} has no steps`);
    for (const step of this.steps) if (typeof step !== 'function') checkStep(step);
    this.chance = chance;
  }

  /** @returns {StepLike} */
  take() {
    return this.steps[Math.min(this.taken++, this.steps.length - 1)];
  }
}

/** All scripts of a server; the newest that matches answers. */
export class Rules {
  /** @type {Rule[]} newest first */ #rules = [];

  /** @param {Rule} rule */
  add(rule) {
    this.#rules.unshift(rule);
  }

  /** @param {Rule} rule */
  remove(rule) {
    this.#rules = this.#rules.filter((other) => other !== rule);
  }

  clear() {
    this.#rules = [];
  }

  /**
   * @param {RecordedRequest} request
   * @param {(request: RecordedRequest) => Promise<Step>} otherwise what answers where no script does
   * @returns {Promise<Step>}
   */
  async answer(request, otherwise) {
    /** @type {Step} */
    const over = {};
    for (const rule of this.#rules) {
      if (!rule.matches(request) || (rule.chance < 1 && Math.random() >= rule.chance)) continue;
      const step = await toStep(rule.take(), request);
      if (!step.pass) return layered(step, over);
      Object.assign(over, layered(step, over));
    }
    return layered(await otherwise(request), over);
  }
}

/** @param {Step} below @param {Step} above @returns {Step} */
function layered(below, above) {
  const { pass: _pass, ...rest } = above;
  const { pass: _belowPass, ...base } = below;
  return { ...base, ...rest, headers: { ...base.headers, ...rest.headers } };
}
