/**
 * A draft of a plain form.
 */
import { type RefObject, useEffect, useInsertionEffect, useMemo, useState } from 'react';
import { createFields } from './form-fields.js';
import { useKept } from './react-drafts.js';
import { createKeeper, type Keeper } from './react-keeper.js';
import { useShared } from './react-provider.js';
import { useLatest, useView } from './react-tracking.js';
import type { AutoSave, AutoSaveOptions } from './types-react.js';

type Data = Record<string, unknown>;

/**
 * Saves what is in a plain form as it changes, and fills the form with what the person had. A field that they are in is filled once they leave it, and one
 * that they changed never. By name: a checkbox is a boolean, several of one name are an array of those that are checked, radio buttons are the value
 * chosen or null, several other fields of one name are an array. Passwords, files, hidden and disabled fields are left out.
 */
export function useFormAutoSave(
  key: string,
  form: RefObject<HTMLFormElement | null>,
  options: AutoSaveOptions<Data> = {},
): AutoSave<Data> {
  const { client, session } = useShared('useFormAutoSave');
  const { enabled = true } = options;
  const latest = useLatest(options);
  const [element, setElement] = useState<HTMLFormElement | null>(null);
  const [fields] = useState(createFields);
  const keeper = useMemo(() => {
    const apply = (data: Data): void => {
      fields.fill(data);
      latest.current.onRestore?.(data);
    };
    const newest = (): AutoSaveOptions<Data> => latest.current;
    return createKeeper<Data>(
      client,
      session,
      key,
      newest,
      () => fields.initial(element),
      fields.read,
      apply,
    );
  }, [client, session, key, element, latest, fields]);
  const methods = useMethods(key, keeper, fields.forget);
  // It may come later than this component, or be replaced: then another render is on its way.
  useEffect(() => setElement(form.current));
  const isOn = enabled && element !== null;
  const isHere = (): boolean => form.current === element;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a ref does not change
  useEffect(() => {
    return isOn && isHere() ? fields.watch(element, () => keeper.give(fields.read())) : undefined;
  }, [keeper, fields, element, isOn]);
  useKept(keeper, isOn, () => (isHere() ? keeper.open() : () => {}));
  return useView(keeper.state, methods);
}

type Methods = Keeper<Data>['methods'];

/** What can be done under that key, with whichever form there is now, or was last. */
function useMethods(key: string, keeper: Keeper<Data>, forget: () => void): Methods {
  // biome-ignore lint/correctness/useExhaustiveDependencies: those of another key are of no use to it
  const of = useMemo(() => ({ methods: keeper.methods }), [key]);
  useInsertionEffect(() => {
    of.methods = keeper.methods;
  });
  return useMemo(
    () => ({
      clearDraft() {
        forget();
        return of.methods.clearDraft();
      },
      restoreDraft: () => of.methods.restoreDraft(),
      flush: () => of.methods.flush(),
      resolve: (choice) => of.methods.resolve(choice),
    }),
    [of, forget],
  );
}
