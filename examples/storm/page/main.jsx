import './style.css';
import { StabilityProvider } from 'evenkeel/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Toaster, toast } from 'sonner';
import { App } from './app/app.jsx';
import { watched } from './picture/watch.js';
import { settings } from './settings.js';

const config = {
  ...settings,
  onNotice: ({ level, message, id }) => toast[level](message, { id }),
};

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <StabilityProvider config={watched(config)}>
      <App />
    </StabilityProvider>
    <Toaster closeButton duration={7_000} theme="system" />
  </StrictMode>,
);
