import { useEffect, useState } from 'react';

const MINUTE = 60_000;

/** Renders the component again every minute, so that what it says of the past stays true. */
export function useMinute(): void {
  const [, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setCount((count) => count + 1), MINUTE);
    return () => clearInterval(timer);
  }, []);
}
