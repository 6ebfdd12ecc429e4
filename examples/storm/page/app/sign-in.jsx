import { Card } from '../parts/card.jsx';
import { useSignIn } from './use-sign-in.js';

/** In place of what only those see who are signed in. @param {{ isAsking?: boolean }} props whether it is not known yet */
export function SignIn({ isAsking = false }) {
  const { said, signIn } = useSignIn();
  if (isAsking)
    return (
      <Card id="plan" title="Next week’s plan, a draft" why="Asking who you are…">
        <div className="plan-form" />
      </Card>
    );

  async function submit(event) {
    event.preventDefault();
    await signIn(new FormData(event.target).get('name'));
    document.getElementById('plan-form')?.elements[0].focus(); // which stands where this form was
  }
  return (
    <Card
      id="plan"
      title="Next week’s plan, a draft"
      status="Signed out"
      tone="bad"
      why="What was typed waits for whom it belongs to."
    >
      <form className="sign-in" onSubmit={submit}>
        <label>
          Who are you?
          <select name="name">
            <option value="ada">Ada</option>
            <option value="ben">Ben</option>
          </select>
        </label>
        <button type="submit" className="primary">
          Sign in
        </button>
        <output className="said">{said}</output>
      </form>
    </Card>
  );
}
