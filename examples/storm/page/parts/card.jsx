/**
 * A panel: what it is, how it stands and why, and what can be done there.
 *
 * @param {{ id: string, title: string, status?: string, tone?: 'good' | 'wait' | 'bad' | 'quiet', why?: string, controls?: any, children: any }} props
 */
export function Card({ id, title, status, tone = 'good', why, controls, children }) {
  return (
    <section className="card" id={id} aria-labelledby={`${id}-title`}>
      <header className="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {status && (
          <p className="pill" id={`${id}-status`} data-tone={tone}>
            {status}
          </p>
        )}
        {why !== undefined && (
          <output className="why" id={`${id}-why`}>
            {why}
          </output>
        )}
        {controls && <div className="controls">{controls}</div>}
      </header>
      {children}
    </section>
  );
}
