import { Link } from '../routing';
import './brand.css';

/** The name of the application, which leads to the prompts. */
export function Brand() {
  return (
    <Link href="/" className="brand">
      <img src="/icon.svg" alt="" width="26" height="26" />
      <span>Promptroom</span>
    </Link>
  );
}
