import path from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isRegularExpressionLiteral,
} from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

/** Every regular expression of the sources, found by TypeScript's own parser. */

export interface SourceExpressions {
  literals: { place: string; expression: RegExp }[];
  /** The places of `new RegExp(…)` and `RegExp(…)`. */
  constructed: { place: string; file: string }[];
  files: number;
}

const root = path.resolve(import.meta.dirname, '../..');

export function sourceExpressions(folders: readonly string[]): SourceExpressions {
  const config = path.join(root, 'expressions.tsconfig.json');
  // Parsing alone is wanted: no libraries, no packages.
  const options = { noResolve: true, noLib: true, types: [], allowJs: true, target: 'esnext', noEmit: true };
  const text = JSON.stringify({ compilerOptions: options, include: folders });
  const api = new API({
    cwd: root,
    fs: {
      readFile: (name) => (name === config ? text : undefined),
      fileExists: (name) => (name === config ? true : undefined),
    },
  });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProjects()[0]?.program;
    const names = program?.getSourceFileNames() ?? [];
    const found: SourceExpressions = { literals: [], constructed: [], files: names.length };
    for (const name of names) {
      const source = program?.getSourceFile(name);
      if (source === undefined) throw new Error(`${name} cannot be read`);
      const file = path.relative(root, name);
      const visit = (node: Node): void => {
        const place = (): string => `${file}:${source.text.slice(0, node.end).split('\n').length}`;
        if (isRegularExpressionLiteral(node)) {
          found.literals.push({ place: place(), expression: toExpression(node.text) });
        } else if ((isNewExpression(node) || isCallExpression(node)) && isNamed(node.expression, 'RegExp')) {
          found.constructed.push({ place: place(), file });
        }
        node.forEachChild(visit);
      };
      visit(source);
    }
    return found;
  } finally {
    api.close();
  }
}

function isNamed(node: Node, name: string): boolean {
  if (isIdentifier(node)) return node.text === name;
  // globalThis.RegExp
  return node.kind === SyntaxKind.PropertyAccessExpression && node.getText().endsWith(`.${name}`);
}

function toExpression(literal: string): RegExp {
  const end = literal.lastIndexOf('/');
  return new RegExp(literal.slice(1, end), literal.slice(end + 1));
}
