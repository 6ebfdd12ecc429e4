/** What a fault does, and what a person sees of it. @param {{ fault: import('./faults.js').FaultCard }} props */
export function Seen({ fault: { name, does, without, with: steady } }) {
  return (
    <>
      <p className="does" id={`does-${name}`}>
        {does}
      </p>
      <dl className="seen">
        <div>
          <dt>Without</dt>
          <dd>{without}</dd>
        </div>
        <div>
          <dt>With</dt>
          <dd>{steady}</dd>
        </div>
      </dl>
    </>
  );
}
