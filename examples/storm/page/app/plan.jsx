import { useAutoSave, useSession } from 'evenkeel/react';
import { useEffect, useRef, useState } from 'react';
import { Card } from '../parts/card.jsx';
import { useCarried } from '../parts/carry.js';
import { useCall, usePlain } from './call.js';
import { Choice } from './choice.jsx';
import { draftWords, time } from './draft-words.js';
import { Kept } from './kept.jsx';
import { EMPTY } from './plan-fields.js';
import { PlanForm } from './plan-form.jsx';
import './plan.css';

/** What is said aloud: not each letter that is not saved yet. */
const SAID = new Set(['saved', 'offline', 'error', 'conflict', 'frozen']);
const BUSY = { text: 'Publishing…', state: 'busy' };
const FROM = { device: 'this device', server: 'the server' };

/** A form whose text is a draft: kept while it is typed, brought back when the page is, and gone once it is published. */
export function Plan() {
  const [{ round, note }, begin] = useState({ round: 0, note: '' });
  // The second window is opened for it.
  useEffect(() => {
    if (location.hash === '#plan') document.getElementById('plan').scrollIntoView();
  }, []);
  const gone = () => begin({ round: round + 1, note: 'Published, or thrown away, in another window.' });
  return <OnePlan key={round} note={note} onGone={gone} />;
}

function OnePlan({ note, onGone }) {
  const call = useCall();
  const [isPlain] = usePlain();
  const [plan, setPlan] = useState(EMPTY);
  const [isBack, setBack] = useState(false);
  const [receipt, setReceipt] = useCarried(`published by ${useSession().userKey}`, null);
  const [isPublishing, setPublishing] = useState(false);
  const text = useRef(null);
  const newest = useRef(plan);
  useEffect(() => {
    newest.current = plan;
  });
  const draft = useAutoSave('meal-plan', plan, {
    enabled: !isPlain,
    exclude: ['password'],
    onRestore(found) {
      setPlan((now) => ({ ...now, ...found }));
      setBack(true);
    },
  });
  const { status, lastSaved, savedTo, conflict, clearDraft, resolve } = draft;
  const isClearing = useGone(status, isPlain, onGone);

  function change(field) {
    setPlan((now) => ({ ...now, ...field }));
    setBack(false);
  }

  async function clear() {
    isClearing.current = true;
    setPlan(EMPTY);
    setBack(false);
    await clearDraft();
    isClearing.current = false;
  }

  async function publish() {
    setPublishing(true);
    const { ok, data, text } = await call.post('/api/plans', plan);
    setPublishing(false);
    if (!ok) return setReceipt({ text: `Not published. ${text}`, state: 'failed' });
    const isAll = newest.current === plan;
    const rest = isAll ? 'The draft is gone, in every window.' : 'What was typed since is a draft.';
    setReceipt({ text: `Published as plan ${data.number}. ${rest}`, state: 'fresh' });
    if (isAll) await clear();
  }

  async function choose(choice) {
    await resolve(choice);
    setBack(false); // it was chosen
    text.current?.focus();
  }

  const back = `Brought back from ${FROM[savedTo] ?? 'where it was kept'}${lastSaved ? `, as it was at ${time(lastSaved)}` : ''}.`;
  const { words, why, tone } = draftWords(draft, isPlain, isBack ? back : note);
  return (
    <Card
      id="plan"
      title="Next week’s plan, a draft"
      status={words}
      tone={tone}
      why={why}
      controls={
        <button type="button" onClick={clear}>
          Start over
        </button>
      }
    >
      <output className="unseen">{SAID.has(status) && words}</output>
      {conflict && <Choice {...conflict} onChoose={choose} />}
      <PlanForm
        plan={plan}
        text={text}
        receipt={isPublishing ? BUSY : receipt}
        onChange={change}
        onPublish={publish}
      />
      <Kept savedTo={savedTo} />
    </Card>
  );
}

/** Tells when the draft was cleared by somebody else. @returns what says that it is cleared here */
function useGone(status, isPlain, onGone) {
  const before = useRef(status);
  const isClearing = useRef(false);
  useEffect(() => {
    const isGone = status === 'idle' && before.current !== 'idle';
    before.current = status;
    if (isGone && !isClearing.current && !isPlain) onGone();
  });
  return isClearing;
}
