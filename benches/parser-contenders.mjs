// The parsers alone. Each contender is given `onEvent`, which takes an object { id, event, data }, and returns what
// takes the next chunk of bytes.
import { getLines, getMessages } from '@microsoft/fetch-event-source/lib/esm/parse.js';
import { createParser } from 'eventsource-parser';

export const contenders = {
  // Takes text: its users decode.
  'eventsource-parser'(onEvent) {
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent });
    return (chunk) => parser.feed(decoder.decode(chunk, { stream: true }));
  },
  'fetch-event-source': (onEvent) =>
    getLines(
      getMessages(
        () => {},
        () => {},
        onEvent,
      ),
    ),
};
