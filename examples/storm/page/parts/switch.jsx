/** @param {{ isOn: boolean, onTurn: (isOn: boolean) => void, children: any }} props what else is given is the input's */
export function Switch({ isOn, onTurn, children, ...input }) {
  return (
    <label className="switch">
      <input type="checkbox" {...input} checked={isOn} onChange={(event) => onTurn(event.target.checked)} />
      {children}
    </label>
  );
}
