// Reads what modules export, as the compiler sees it: names, doc comments, signatures, places. The one file here that knows the compiler.
// Invariant: bodies of functions and private members are no part of what is read; nothing is written.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { API, type Project, type Symbol as Declared, SymbolFlags } from 'typescript/unstable/sync';

/** A module that others import by this name. */
export interface EntryOptions {
  /** Such as `pinnace/client`. */
  readonly name: string;
  /** Its file; exports of `also` are told besides, where it has others in hand that it does not export. */
  readonly file: string;
  readonly also?: { readonly file: string; readonly names: readonly string[] };
}

/** What the module says of itself, and its exports by name. */
export interface Entry extends EntryOptions {
  /** The comment that it opens with. */
  readonly header: string;
  readonly exports: readonly Export[];
}

/** Something that is exported. */
export interface Export {
  readonly name: string;
  /** Does it exist at run time, or is it a type alone? */
  readonly sort: 'type' | 'value';
  /** Its doc comment; empty where it has none. */
  readonly doc: string;
  /** How it is declared, without bodies. */
  readonly text: string;
  /** The file of its declaration, relative to the root, and the line (from 1). */
  readonly path: string;
  readonly line: number;
}

/** Reads the entries of the project that `config` (a tsconfig.json) describes. Paths are relative to `root`. */
export function readExports(
  root: string,
  config: string,
  entries: readonly EntryOptions[],
): Entry[] {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProjects: [`${root}/${config}`] }).getProjects();
    if (project === undefined) throw new Error(`${config} describes no project`);
    return entries.map((entry) => readEntry(project, root, entry));
  } finally {
    api.close();
  }
}

function readEntry(project: Project, root: string, entry: EntryOptions): Entry {
  const { also, file } = entry;
  const named = also
    ? symbolsOf(project, `${root}/${also.file}`).filter(({ name }) => also.names.includes(name))
    : [];
  const exports = [...symbolsOf(project, `${root}/${file}`), ...named]
    .map((symbol) => readExport(project, root, symbol))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const header = /^(?:\/\/.*\n)+/.exec(readFileSync(`${root}/${file}`, 'utf8'))?.[0] ?? '';
  return { ...entry, header: header.replace(/^\/\/ ?/gm, '').trim(), exports };
}

function symbolsOf({ checker, program }: Project, file: string): readonly Declared[] {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is no part of the project`);
  const module = checker.getSymbolAtLocation(source);
  return module === undefined ? [] : checker.getExportsOfModule(module);
}

function readExport(project: Project, root: string, exported: Declared): Export {
  const { checker } = project;
  const aliased = (exported.flags & SymbolFlags.Alias) !== 0;
  const symbol = aliased ? checker.getAliasedSymbol(exported) : exported;
  const nodes = symbol.declarations.map((handle) => handle.resolve(project));
  const declared = nodes.filter((node) => node !== undefined);
  const [first] = declared;
  if (first === undefined) throw new Error(`${exported.name} is declared nowhere`);
  const source = first.getSourceFile();
  const before = source.text.slice(0, first.getStart());
  return {
    name: exported.name,
    sort: (symbol.flags & SymbolFlags.Value) === 0 ? 'type' : 'value',
    doc: docOf(first),
    text: declared.map((node) => textOf(project, symbol, node)).join('\n'),
    path: relative(root, source.fileName),
    line: before.split('\n').length,
  };
}

/** The doc comment as it is written, without stars: the compiler's own reading of it loses links. */
function docOf(node: Node): string {
  const variable = node.kind === SyntaxKind.VariableDeclaration;
  const comment = commentBefore(variable ? node.parent.parent : node) ?? '';
  const lines = comment.slice('/**'.length, -'*/'.length).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();
}

function commentBefore(node: Node): string | undefined {
  const before = node.getFullText().slice(0, node.getStart() - node.getFullStart());
  // Notes to linters may stand between.
  return /(\/\*\*(?:(?!\*\/).)*\*\/)(?:\s|\/\/[^\n]*\n)*$/s.exec(before)?.[1];
}

/** A node with what functions, classes and variables have. */
type Declaration = Node & {
  readonly body?: Node;
  readonly initializer?: Node;
  readonly members?: readonly Node[];
};

/** Longer values are told by their type. */
const MAX_VALUE_LINES = 12;

function textOf({ checker }: Project, symbol: Declared, node: Declaration): string {
  if (node.kind === SyntaxKind.ClassDeclaration) return classText(node);
  if (node.kind !== SyntaxKind.VariableDeclaration) return withoutBody(node);
  const whole = `const ${node.getText()}`;
  const told = node.initializer?.kind !== SyntaxKind.ArrowFunction;
  if (told && whole.split('\n').length <= MAX_VALUE_LINES) return whole;
  const type = checker.getTypeOfSymbol(symbol);
  return type === undefined ? whole : `const ${symbol.name}: ${checker.typeToString(type)}`;
}

function withoutBody(node: Declaration): string {
  const text = node.getText();
  const end = node.body === undefined ? text.length : node.body.getStart() - node.getStart();
  return text.slice(0, end).trim();
}

/** A class with its public members. */
function classText(node: Declaration): string {
  const members = node.members ?? [];
  const [first] = members;
  const text = node.getText();
  const head = first === undefined ? text : text.slice(0, first.getFullStart() - node.getStart());
  const shown = members.filter((member) => !/^(?:\w+ )*#|^private /.test(member.getText()));
  const lines = shown.map((member) => `  ${memberText(member)}`);
  return [head.trim(), ...lines, '}'].join('\n');
}

function memberText(member: Declaration): string {
  const comment = commentBefore(member);
  return `${comment === undefined ? '' : `${comment}\n  `}${withoutBody(member)}`;
}
