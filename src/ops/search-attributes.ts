import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';

const KEYWORD = 2;

/** The part of a Temporal connection that is needed here: any kind of connection has it. */
interface Operators {
  operatorService: {
    listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: object | null }>;
    addSearchAttributes(request: {
      namespace: string;
      searchAttributes: Record<string, number>;
    }): Promise<unknown>;
  };
}

/** Registers the search attribute that workflows set, unless it is there. Without it every workflow task would fail. */
export async function registerSearchAttributes({ operatorService }: Operators, namespace: string): Promise<void> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  if (customAttributes && STATUS_SEARCH_ATTRIBUTE.name in customAttributes) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: { [STATUS_SEARCH_ATTRIBUTE.name]: KEYWORD },
  });
}
