// Writes ConfigMaps as fast as they are acknowledged, and prints the name of each that was. A program of its own, so
// that it runs inside a cluster's network namespace: `writer.ts KUBECONFIG`. Ends when its standard input does.
import {
  ConfigMaps,
  createClient,
  createHttpTransport,
  loadKubeconfig,
} from '../../client/index.ts';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: writer.ts KUBECONFIG');
const configs = createClient(createHttpTransport((await loadKubeconfig(path)).transport)).resource(
  ConfigMaps,
);

let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();
for (let i = 0; !over; i++) {
  const name = `w-${i}`;
  try {
    await configs.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
    });
    process.stdout.write(`${name}\n`);
  } catch {
    // Not acknowledged: it may or may not be there. The server is being killed, so wait a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
process.exit(0);
