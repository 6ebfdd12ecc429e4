/** A row of numbers with a name each. @param {{ of: Array<[name: string, label: string, value: string | number, tone?: 'good' | 'bad']> }} props */
export function Figures({ of }) {
  return (
    <dl className="figures">
      {of.map(([name, label, value, tone]) => (
        <div className="figure" key={name} data-name={name} data-tone={tone}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
