// The names of a new operator: checked, and put in the place of the template's own.
// Invariant: whatever passes gives a project whose types are right and whose objects a server takes.
import { dns1035Label } from '../../api/meta/names.ts';
import { defineKind } from '../../controllers/framework/kinds/define-kind.ts';
import { KindError } from '../../controllers/framework/kinds/kind-error.ts';
import { pluralOf } from '../../controllers/framework/kinds/plural.ts';
import { CommandFailure } from './command-failure.ts';

/** What an operator is called by. */
export interface OperatorNames {
  /** Of the program, its package, account, Lease and Deployment. */
  readonly name: string;
  readonly group: string;
  readonly kind: string;
}

/** The template is an operator that works, and has these names. */
const TEMPLATE_WORDS = /widget-operator|Widgets|Widget|widgets|widget|example\.com/g;

/**
 * Checks the names; the kind is made of the operator's name unless given. `taken` are words that the sources use for
 * something else. Throws CommandFailure that says what to write.
 */
export function operatorNames(
  name: string,
  { group, kind = kindOf(name) }: { readonly group: string; readonly kind?: string | undefined },
  taken: ReadonlySet<string>,
): OperatorNames {
  const fault = dns1035Label(name);
  if (fault !== undefined)
    throw new CommandFailure(
      `an operator cannot be called "${name}": ${fault}; such as website-operator`,
    );
  if (!/^[A-Z][A-Za-z0-9]*$/.test(kind))
    throw new CommandFailure(
      `a kind cannot be called "${kind}": letters and digits, the first one a capital; --kind names another, such as Website`,
    );
  for (const word of [kind, pluralWord(kind)])
    if (taken.has(word) || word in globalThis)
      throw new CommandFailure(
        `a kind cannot be called "${kind}": "${word}" means something else already; --kind names another, such as My${kind}`,
      );
  checkGroup(group, kind);
  return { name, group, kind };
}

/** `website-operator` is about Websites. */
function kindOf(name: string): string {
  const words = name.replace(/-(operator|controller)$/, '').split('-');
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}

/** `Website` gives `Websites`: the plural as it stands in URLs, with the kind's capitals. */
function pluralWord(kind: string): string {
  const plural = pluralOf(kind);
  const lower = kind.toLowerCase();
  let same = 0;
  while (same < lower.length && lower[same] === plural[same]) same += 1;
  return kind.slice(0, same) + plural.slice(same);
}

/** By the server's own rules. */
function checkGroup(group: string, kind: string): void {
  try {
    defineKind({ group, version: 'v1alpha1', kind, spec: { type: 'object' } });
  } catch (error) {
    if (!(error instanceof KindError)) throw error;
    throw new CommandFailure(`${error.message}\n--group and --kind name others`);
  }
}

/** A text of the template, with other names. */
export function renamed(text: string, { name, group, kind }: OperatorNames): string {
  const words: Readonly<Record<string, string>> = {
    'widget-operator': name,
    Widgets: pluralWord(kind),
    Widget: kind,
    widgets: pluralOf(kind),
    widget: kind.toLowerCase(),
    'example.com': group,
  };
  return text.replace(TEMPLATE_WORDS, (word) => words[word] ?? word);
}
