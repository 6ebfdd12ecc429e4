/** The faults: their names are the server's, the sentences say what a person sees. */
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
        with: 'Equal requests share one answer, and no more than six are under way.',
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
        name: 'signedOut',
        title: 'Signed out',
        does: '401, and the session endpoint says that nobody is signed in.',
        without: '“Please sign in”, whether it is true or not.',
        with: 'It is confirmed, twice, and then said once.',
      },
      {
        name: 'unsure',
        title: 'Session endpoint down',
        does: '401, and the session endpoint answers 500.',
        without: '“Please sign in”, though nobody was signed out.',
        with: '“Could not be confirmed”: nobody is logged out on a guess.',
      },
    ],
  },
];
