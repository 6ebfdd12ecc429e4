/**
 * The faults: their names are the server's, the sentences say what a person sees. Those with an `action` are done rather than switched on.
 *
 * @typedef {{ name: string, title: string, does: string, without: string, with: string, action?: string, lastsMs?: number }} FaultCard
 */
/** @type {Array<{ title: string, faults: FaultCard[] }>} */
export const GROUPS = [
  {
    title: 'Server',
    faults: [
      {
        name: 'down',
        title: 'Server down',
        does: 'Connections are refused.',
        without: '“Failed to fetch” in place of the meals, and every tap knocks again.',
        with: 'The meals stay, one message. After five failures nothing is sent but a probe that finds the server again.',
      },
      {
        name: 'slow',
        title: 'Slow answers',
        does: 'Each answer takes 3 s.',
        without: 'Three impatient taps are three requests, and the last to answer wins.',
        with: 'Equal requests share one answer, and no more than five are under way.',
      },
      {
        name: 'restart',
        title: 'Restart: 503',
        does: 'For 4 s each answer is 503 with Retry-After: 5 s.',
        lastsMs: 4_000,
        without: '“Error 503”. Pages that ask again in a loop keep the server from starting.',
        with: 'Each call waits the 5 s it was asked for, plus jitter, and then succeeds.',
      },
      {
        name: 'limit',
        title: 'Rate limit: 429',
        does: 'Beyond 8 requests a second: 429 with Retry-After: 2 s. Try the burst.',
        without: 'Most of the burst fails with “Error 429”.',
        with: 'What was refused waits as told, spread out, and comes through.',
      },
      {
        name: 'cut',
        title: 'Answers cut off',
        does: 'Every other answer ends after 20 bytes.',
        without: '“Unexpected end of input”. Was it ordered? Ordering again orders twice.',
        with: 'It is sent again under the same idempotency key: one order.',
      },
      {
        name: 'stall',
        title: 'Answers that stall',
        does: 'Every other answer stops after 20 bytes; the connection stays.',
        without: '“Loading…”, for ever.',
        with: 'After 4 s of silence the request is given up and made again.',
      },
      {
        name: 'route',
        title: 'One route broken',
        does: '/api/stock answers 500. Try the burst.',
        without: 'Every request to it is made, and fails, again and again.',
        with: 'The breaker of that one route opens. Meals and orders go on.',
      },
    ],
  },
  {
    title: 'Orders, live',
    faults: [
      {
        name: 'streamsCut',
        title: 'Streams cut',
        does: 'Every stream’s connection is destroyed, once.',
        lastsMs: 1_000,
        without: 'The browser comes back by itself, as long as nothing else is wrong.',
        with: 'It comes back spread over 3 s, with the orders made meanwhile: late, none missed, none twice.',
      },
      {
        name: 'streamsMute',
        title: 'Streams fall silent',
        does: 'The connections stay, and nothing comes through them any more.',
        lastsMs: 4_000,
        without: 'No order ever again, and no error.',
        with: 'After 4 s without a sign of life, twice as long each time, a new connection brings what was lost.',
      },
      {
        name: 'streamsHeld',
        title: 'A proxy buffers',
        does: 'Streams are held back: not even their headers arrive.',
        without: 'No order, for as long as the proxy stands there.',
        with: 'Two tries of 2 s, then polling: the orders come each second. A stream that gets through ends it.',
      },
      {
        name: 'streamsRefused',
        title: 'Streams refused: 503',
        does: 'For 5 s streams end with 503 and Retry-After: 2 s.',
        lastsMs: 5_000,
        without: 'Closed for good at the first 503.',
        with: 'Each try waits the 2 s it was asked for, plus jitter.',
      },
      {
        name: 'lost',
        title: 'Server restarts',
        does: 'Every connection is lost, and for 4 s none is accepted.',
        lastsMs: 4_000,
        without: 'All pages knock in step.',
        with: 'The first try is drawn from 3 s, by default from 10 s: a thousand pages do not come back in one second.',
      },
    ],
  },
  {
    title: 'Session',
    faults: [
      {
        name: 'expired',
        title: 'Token just expired',
        does: 'Every other answer is 401; the session is alive.',
        without: '“Please sign in”, in the middle of work.',
        with: 'The session is asked, is alive, the request goes again. Nobody notices.',
      },
      {
        name: 'unsure',
        title: 'Session endpoint down',
        does: '401, and the session endpoint answers 500.',
        without: '“Please sign in”, though nobody was signed out.',
        with: '“Could not be confirmed”: nobody is logged out on a guess.',
      },
      {
        name: 'blip',
        title: 'Database blip',
        does: 'For 4 s calls are 401, and the session endpoint says that nobody is signed in.',
        lastsMs: 4_000,
        without: 'A database that restarts logs everybody out.',
        with: 'It is asked again after 1 s and 5 s, by default 2 s and 10 s: the session lives, and calls go again.',
      },
      {
        name: 'forget',
        title: 'Session expires',
        does: 'The server forgets who is signed in, and tells nobody.',
        action: 'Expire it',
        without: 'Found out by the next failure, in each tab for itself.',
        with: 'Asked three times, and then said once, in all tabs.',
      },
      {
        name: 'switch',
        title: 'Account switch',
        does: 'In another window somebody else signs in.',
        action: 'Let Ben sign in',
        without: 'This page still says Ada, and orders as Ben.',
        with: 'This page knows at once, aborts what was Ada’s, and says so.',
      },
    ],
  },
  {
    title: 'Deploys',
    faults: [
      {
        name: 'deploy',
        title: 'New version',
        does: 'The server has the next version of this page.',
        action: 'Deploy',
        without: 'The old page goes on, until a part of it is gone.',
        with: 'Once you pause for 2 s it is reloaded, once, and goes on with all that you see here.',
      },
      {
        name: 'roll',
        title: 'Rolling deploy',
        does: 'For 12 s old and new servers answer in turn.',
        action: 'Roll out',
        lastsMs: 12_000,
        without: 'A page that trusts each answer reloads again and again.',
        with: 'At most one reload. If the page comes back old, you are asked.',
      },
    ],
  },
];

/** They say how the session stands: one at a time. */
export const SESSION = new Set(['expired', 'unsure', 'blip']);
