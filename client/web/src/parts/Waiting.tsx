import './waiting.css';

export interface WaitingProps {
  readonly label: string;
  /** What went wrong meanwhile; with it comes a button to try again. */
  readonly problem?: string;
  readonly onRetry?: () => void;
}

/** A whole page that waits for something. */
export function Waiting({ label, problem, onRetry }: WaitingProps) {
  if (problem) {
    return (
      <main className="waiting">
        <p className="problem" role="alert">
          {problem}
        </p>
        <button type="button" className="push-button" onClick={onRetry}>
          Try again
        </button>
      </main>
    );
  }
  return (
    <main className="waiting" aria-busy="true">
      <span className="waiting-bar" />
      <p>{label}</p>
    </main>
  );
}
