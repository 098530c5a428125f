// The witness of hostile pods, a program inside the cluster's namespace: `witness.ts URL`. Asks a peaceful pod without end, each time
// over a fresh connection; at the input's end it tells in JSON how that went.
// Invariant: every question is counted, and one that is not answered in time is a failure.
import { startLoad } from '../restless/load.ts';

const load = startLoad([process.argv[2] ?? '']);
process.stdin.resume();
process.stdin.on('end', () => {
  void load.stop().then((served) => {
    process.stdout.write(JSON.stringify(served), () => process.exit(0));
  });
});
