import { useStability } from 'evenkeel/react';
import { useEffect } from 'react';

/**
 * @param {{ plan: Record<string, string>, text: { current: HTMLTextAreaElement | null }, receipt: { text: string, state: string } | null,
 *   onChange: (field: Record<string, string>) => void, onPublish: () => void }} props
 */
export function PlanForm({ plan, text, receipt, onChange, onPublish }) {
  const { client } = useStability();
  const isSecret = plan.password !== '';
  // A password is in no draft: the page is not reloaded by itself while there is one.
  useEffect(() => (isSecret ? client.version.hold() : undefined), [client, isSecret]);

  const field = (name) => ({
    name,
    value: plan[name],
    onChange: (event) => onChange({ [name]: event.target.value }),
  });
  const isBusy = receipt?.state === 'busy';
  return (
    <form
      className="plan-form"
      id="plan-form"
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onPublish();
      }}
    >
      <label>
        Title
        <input {...field('title')} maxLength={120} required placeholder="Week 48: roots" />
      </label>
      <label>
        Guests a day
        <input {...field('guests')} type="number" min="1" max="9999" required inputMode="numeric" />
      </label>
      <label>
        Diet
        <select {...field('diet')}>
          <option>Everything</option>
          <option>Vegetarian</option>
          <option>Vegan</option>
        </select>
      </label>
      <label className="long">
        What is cooked
        <textarea
          {...field('text')}
          ref={text}
          rows={6}
          placeholder="Type. It is kept 2 s after you pause, and when you leave."
        />
      </label>
      <label className="secret">
        Password of the kitchen
        <input
          {...field('password')}
          type="password"
          required
          autoComplete="new-password"
          placeholder="Any will do. It is in no draft."
        />
      </label>
      <button type="submit" className="primary">
        Publish
      </button>
      <output className="said" id="plan-receipt" data-state={receipt?.state}>
        {receipt?.text}
      </output>
    </form>
  );
}
