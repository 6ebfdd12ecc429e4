const SHOWN_MS = 7_000;
const LOGGED_MAX = 8;

/** Notices as toasts: equal ids replace each other, as in every toast library. And a short log of them. */
export function createToasts() {
  const root = document.getElementById('toasts');
  const log = document.getElementById('log');
  const shown = new Map();
  let told = 0;

  const empty = document.createElement('li');
  empty.className = 'empty';
  empty.textContent = 'Nothing yet. All is well.';
  log.replaceChildren(empty);

  function dismiss(id) {
    const toast = shown.get(id);
    if (!toast) return;
    clearTimeout(toast.timer);
    toast.node.remove();
    shown.delete(id);
  }

  return function show({ id, level, kind, message }) {
    const before = shown.get(id);
    if (before) clearTimeout(before.timer);
    const node = before?.node ?? toastNode(() => dismiss(id));
    node.dataset.level = kind === 'backOnline' ? 'good' : level;
    node.dataset.kind = kind;
    node.querySelector('p').textContent = message;
    if (!before) root.append(node);
    shown.set(id, { node, timer: setTimeout(dismiss, SHOWN_MS, id) });

    empty.remove();
    const line = document.createElement('li');
    line.dataset.level = node.dataset.level;
    const at = document.createElement('time');
    at.textContent = new Date().toLocaleTimeString('en-GB');
    const text = document.createElement('span');
    text.textContent = message;
    line.append(at, text);
    log.prepend(line);
    if (++told > LOGGED_MAX) log.lastElementChild.remove();
  };
}

function toastNode(onClose) {
  const node = document.createElement('div');
  node.className = 'toast';
  const text = document.createElement('p');
  const close = document.createElement('button');
  close.type = 'button';
  close.setAttribute('aria-label', 'Dismiss');
  close.textContent = '×';
  close.addEventListener('click', onClose);
  node.append(text, close);
  return node;
}
