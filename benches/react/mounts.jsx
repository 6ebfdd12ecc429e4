// A page that mounts and unmounts the three hooks that hold something: the one that is tested.
import { createRoot } from 'react-dom/client';
import { App } from '../../tests/react/apps/mounts.jsx';

createRoot(document.body.appendChild(document.createElement('main'))).render(<App />);
