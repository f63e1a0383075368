import { Component, type ReactNode } from 'react';

/**
 * What is shown when a page breaks, or a part of it cannot be loaded any more because the server has a newer one.
 * Edits that wait are in the browser's storage by then.
 */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { readonly isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return (
      <main className="waiting">
        <p className="problem" role="alert">
          This page could not be shown. Edits that were not saved are kept in this browser.
        </p>
        <button type="button" className="push-button is-primary" onClick={() => location.reload()}>
          Reload
        </button>
      </main>
    );
  }
}
