// The behaviour suite of pod lives on containerd, over CRI: one cluster, scenarios side by side.
import { livesOn } from '../lives/running/lives-on.ts';

livesOn('containerd', { node: true, runtime: 'containerd' });
