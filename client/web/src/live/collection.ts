/** One IndexedDB object store, with the three things we do to it. */

const DATABASE = 'promptroom';

export interface Collection<T> {
  all(): Promise<T[]>;
  put(record: T): Promise<void>;
  remove(key: string[]): Promise<void>;
  /** Removes the record if `condition` holds for what is stored now, in one transaction. */
  removeIf(key: string[], condition: (record: T) => boolean): Promise<void>;
}

/** Opens the object store `name`, made on first use with `keyPath`. Raises when the browser refuses storage. */
export async function openCollection<T>(name: string, keyPath: string[]): Promise<Collection<T>> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(name, { keyPath });
  const database = await settled(opening);
  const store = (mode: IDBTransactionMode): IDBObjectStore => database.transaction(name, mode).objectStore(name);
  return {
    all: () => settled<T[]>(store('readonly').getAll()),
    put: async (record) => {
      await settled(store('readwrite').put(record));
    },
    remove: async (key) => {
      await settled(store('readwrite').delete(key));
    },
    removeIf: async (key, condition) => {
      const records = store('readwrite');
      const current = await settled<T | undefined>(records.get(key));
      if (current !== undefined && condition(current)) await settled(records.delete(key));
    },
  };
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
