import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { AccountProvider } from './account/AccountContext';
import { Account } from './account/account';
import './styles/tokens.css';
import './styles/base.css';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no root element');

createRoot(root).render(
  <StrictMode>
    <AccountProvider account={new Account()}>
      <App />
    </AccountProvider>
  </StrictMode>,
);
