// Nodes of field sets that stand once for all objects of one shape: a thousand Pods of one Deployment share their set, and its JSON.
// Invariants: a node that is shared is frozen, and so is all that is in it; what is remembered is bounded, and forgetting it
// changes nothing but the cost.
import { EMPTY_SET, type FieldSet, Gathered } from './field-set.ts';
import type { MergeType } from './merge-type.ts';

/** Ways on from one step that are remembered; a new one takes the place of the oldest. */
const MAX_WAYS = 8;
/** Steps that are remembered, some 200 bytes and their element each; the next one begins all anew. */
export const MAX_KNOWN_STEPS = 10_000;
/** Longer elements are nobody else's: what clients may write into a key is bounded by their bodies only. */
export const MAX_SHARED_ELEMENT_CHARS = 256;
/** Nodes with more elements are nobody else's: few maps are alike in so many keys. */
export const MAX_SHARED_ELEMENTS = 64;

/**
 * A node in the making. Whoever adds the same elements in the same order comes by the same steps to the very same node, for two
 * comparisons each; in another order, to an equal one.
 */
export class NodeStep {
  readonly #before: NodeStep | undefined;
  readonly #element: string;
  readonly #below: FieldSet;
  readonly #count: number;
  readonly #isShared: boolean;
  #ways: NodeStep[] | undefined;
  #oldest = 0;
  #node: FieldSet | undefined;

  /** Nothing yet. */
  static start(): NodeStep {
    return new NodeStep(undefined, '', EMPTY_SET);
  }

  private constructor(before: NodeStep | undefined, element: string, below: FieldSet) {
    this.#before = before;
    this.#element = element;
    this.#below = below;
    this.#count = before ? before.#count + 1 : 0;
    this.#isShared =
      !before ||
      (before.#isShared &&
        this.#count <= MAX_SHARED_ELEMENTS &&
        element.length <= MAX_SHARED_ELEMENT_CHARS &&
        Object.isFrozen(below));
  }

  /** With an element that was not added yet; as it is where that has no node. */
  with(element: string, below: FieldSet | undefined): NodeStep {
    if (below === undefined) return this;
    if (this.#ways)
      for (const way of this.#ways)
        if (way.#below === below && way.#element === element) return way;
    return this.#newWay(element, below);
  }

  /** The node. Steps from one start are all asked with the same `self`: is the path itself in the set? */
  node(self: boolean): FieldSet | undefined {
    if (!this.#before) return self ? EMPTY_SET : undefined;
    return (this.#node ??= this.#made(self));
  }

  #newWay(element: string, below: FieldSet): NodeStep {
    const way = new NodeStep(this, element, below);
    if (!way.#isShared) return way;
    countStep();
    this.#ways ??= [];
    if (this.#ways.length < MAX_WAYS) this.#ways.push(way);
    else this.#ways[this.#oldest++ % MAX_WAYS] = way;
    return way;
  }

  #made(self: boolean): FieldSet | undefined {
    const gathered = new Gathered();
    for (const step of NodeStep.#upTo(this)) gathered.add(step.#element, step.#below);
    const node = gathered.node(self);
    return this.#isShared ? Object.freeze(node) : node;
  }

  /** The steps from the start on. */
  static #upTo(last: NodeStep): NodeStep[] {
    const steps: NodeStep[] = [];
    for (let step = last; step.#before; step = step.#before) steps.push(step);
    return steps.reverse();
  }
}

/** Where nodes of a type begin: of values that came or went as a whole, of what changed, and of what went, in a value. */
interface Starts {
  readonly whole: NodeStep;
  readonly parts: NodeStep;
}

let starts = new WeakMap<MergeType, Starts>();
let steps = 0;

function countStep(): void {
  if (++steps <= MAX_KNOWN_STEPS) return;
  steps = 0;
  starts = new WeakMap();
}

/** Where nodes of values of a type begin: `whole` with the value's own path, `parts` without. */
export function startsOf(type: MergeType): Starts {
  let known = starts.get(type);
  if (!known) starts.set(type, (known = { whole: NodeStep.start(), parts: NodeStep.start() }));
  return known;
}

/** The JSON of sets that is kept, all together; the next one begins anew. */
export const MAX_KNOWN_JSON_CHARS = 8 * 1024 * 1024;

let texts = new WeakMap<FieldSet, string>();
let textChars = 0;

/** The set's JSON; that of a set that is shared is made once. */
export function fieldSetJson(set: FieldSet): string {
  const known = texts.get(set);
  if (known !== undefined) return known;
  const text = JSON.stringify(set);
  if (!Object.isFrozen(set) || text.length > MAX_KNOWN_JSON_CHARS) return text;
  textChars += text.length;
  if (textChars > MAX_KNOWN_JSON_CHARS) {
    texts = new WeakMap();
    textChars = text.length;
  }
  texts.set(set, text);
  return text;
}
