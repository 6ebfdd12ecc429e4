import { useEffect, useRef, useState } from 'react';
import { inWords } from './calls.js';
import { Timeline } from './timeline.js';
import { calls } from './watch.js';
import './timeline.css';

const LEGEND = [
  ['ok', 'answered'],
  ['refused', 'refused'],
  ['broken', 'broken off'],
  ['flight', 'under way'],
  ['polled', 'polls'],
  ['asked', 'Retry-After'],
  ['wait', 'backs off'],
  ['slot', 'queued'],
  ['shared', 'shares'],
  ['open', 'circuit open'],
];
const CALLS_SAID = 12;
const MARKS_SAID = 6;
const SAID_EVERY_MS = 250;

/** The last seconds of all calls, as a picture and in words. */
export function TimeLine() {
  const place = useRef(null);
  useEffect(() => {
    const picture = new Timeline(place.current, calls);
    return () => picture.dispose();
  }, []);
  return (
    <section className="card timeline-card" aria-labelledby="timeline-title">
      <header className="card-head">
        <h2 id="timeline-title">Calls, and the requests each became</h2>
        <ul className="legend">
          {LEGEND.map(([name, words]) => (
            <li key={name}>
              <i className={`key ${name}`} />
              {words}
            </li>
          ))}
        </ul>
      </header>
      <div className="timeline" id="timeline" ref={place} />
      <ol className="unseen" id="calls" aria-label="The newest calls">
        {useWords().map(([key, words]) => (
          <li key={key}>{words}</li>
        ))}
      </ol>
    </section>
  );
}

/** @returns {Array<[key: string, words: string]>} */
function useWords() {
  const [said, say] = useState([]);
  useEffect(() => {
    let waiting;
    const look = () => {
      waiting = undefined;
      say(newest());
    };
    const end = calls.subscribe(() => {
      waiting ??= setTimeout(look, SAID_EVERY_MS);
    });
    look();
    return () => {
      end();
      clearTimeout(waiting);
    };
  }, []);
  return said;
}

/** Streams go on and on, and come first. */
function newest() {
  const isStream = ({ sort }) => sort === 'stream';
  const streams = calls.rows.filter(isStream);
  const others = calls.rows.filter((row) => !isStream(row)).slice(-CALLS_SAID);
  const marks = calls.marks.slice(-MARKS_SAID);
  return [
    ...[...streams, ...others.reverse()].map((row) => [`call ${row.key}`, inWords(row)]),
    ...marks.reverse().map(({ at, text }) => [`${at} ${text}`, text]),
  ];
}
