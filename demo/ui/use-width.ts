/** A hook that measures an element. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** How wide an element is now, in pixels: charts are drawn for it, so that their letters stay as large as others. */
export function useWidth<T extends Element>(first: number) {
  const element = useRef<T>(null);
  const width = useSignal(first);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) width.value = Math.round(entry.contentRect.width);
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return { element, width: width.value };
}
