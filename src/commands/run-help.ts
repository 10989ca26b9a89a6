import { type Context, privately, type Result } from './context.ts';
import { helpText } from './help.ts';

export async function showHelp({ deps, isAdmin }: Context): Promise<Result> {
  return privately(helpText(deps.commands(), { admin: isAdmin }).join('\n'));
}
