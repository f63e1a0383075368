// `node hocuspocus.mjs PORT [FILE]`: Hocuspocus with its own defaults; with a file, its SQLite extension keeps it there.
import { Server } from "@hocuspocus/server";

const [port, file] = process.argv.slice(2);
const extensions = [];
if (file !== undefined) {
  const { SQLite } = await import("@hocuspocus/extension-sqlite");
  extensions.push(new SQLite({ database: file }));
}

await new Server({ address: "127.0.0.1", port: Number(port), quiet: true, extensions }).listen();
