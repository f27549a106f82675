/** The progress of a model that is being downloaded. */
import { duration, size } from '../format.js';
import type { ModelLibrary } from '../state/models.js';
import { Button } from '../ui/button.js';

export function DownloadProgress({ library }: { library: ModelLibrary }) {
  const download = library.download.value;
  if (!download) return null;
  const { name, loaded, total, rate } = download;
  return (
    <div class="download" data-testid="download">
      <p>
        {name}: {size(loaded)} {total && `of ${size(total)}`}
        {rate > 0 && `, ${size(rate)}/s`}
        {rate > 0 && total && `, ${duration((total - loaded) / rate)} left`}
      </p>
      <progress aria-label={name} {...(total && { value: loaded, max: total })} />
      <Button id="cancel" press={() => library.cancel()}>
        Cancel
      </Button>
    </div>
  );
}
