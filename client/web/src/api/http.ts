/** One HTTP exchange with the server, and the one kind of error it can end in. */

/** Where the REST interface is. */
const PREFIX = '/api/v1';

/** The server refused, as a problem document says (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable, for programs; the message is for people. */
  readonly code: string;
  /** The whole problem document: some codes come with more to know. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, problem: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.problem = problem;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';

  constructor(cause: unknown) {
    super('The server cannot be reached. Check the connection and try again.', { cause });
  }
}

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the REST interface, with a leading slash. */
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
  /** The entity tag that must still hold. */
  readonly ifMatch?: string | null;
  /** Makes a repetition of the request harmless. */
  readonly idempotencyKey?: string;
  /** Gives the request up; it then ends in an `AbortError`. */
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly data: T;
  readonly status: number;
  /** The entity tag, to be sent back with a change. */
  readonly etag: string | null;
}

/** Sends a request. Raises `ApiError` when the server refuses, `Unreachable` when it does not answer. */
export async function send<T>(request: Request): Promise<Answer<T>> {
  const response = await reach(request);
  if (!response.ok) throw await readProblem(response);
  const data = (response.status === 204 ? undefined : await response.json()) as T;
  return { data, status: response.status, etag: response.headers.get('ETag') };
}

/** A sentence for people about whatever went wrong. */
export function explain(error: unknown): string {
  if (error instanceof ApiError || error instanceof Unreachable) return error.message;
  return 'Something went wrong in this page. Reload it and try again.';
}

async function reach({ method, path, body, token, ifMatch, idempotencyKey, signal }: Request): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json' });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (ifMatch) headers.set('If-Match', ifMatch);
  if (idempotencyKey) headers.set('Idempotency-Key', idempotencyKey);
  const content = body === undefined ? null : JSON.stringify(body);
  try {
    return await fetch(PREFIX + path, {
      method,
      headers,
      body: content,
      credentials: 'same-origin',
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(error);
  }
}

async function readProblem(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { code, detail, title } = problem;
  const message = [detail, title].find((text) => typeof text === 'string' && text !== '');
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof message === 'string' ? message : `The server answered with status ${response.status}.`,
    problem,
  );
}
