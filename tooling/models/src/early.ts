/** The model of early data, its properties and guards. */
import type { Model } from './model.ts'

export const EARLY: Model = {
  name: 'early',
  title: 'Early data: what a requester says before it is answered',
  properties: [
    {
      name: 'early_data_once',
      meaning: 'What one hello says early is delivered at most once, also over a restart of T',
    },
    {
      name: 'early_data_wanted',
      meaning: 'Nothing is delivered before the application of T has opted in and let R in',
    },
  ],
  guards: [
    {
      name: 'early-opt-in',
      rule: 'T takes early data only where its application has opted in',
      section: 'Early frames',
      breaks: 'early_data_wanted',
    },
    {
      name: 'early-consent',
      rule: 'T takes early data after its consent',
      section: 'Early frames',
      breaks: 'early_data_wanted',
    },
    {
      name: 'static-key',
      rule: 'A process that starts again has another static key',
      section: 'Early frames',
      breaks: 'early_data_once',
    },
    {
      name: 'early-judged',
      rule: 'What came with an ephemeral key is judged once',
      section: 'Early frames',
      breaks: 'early_data_once',
    },
    {
      name: 'early-stamp',
      rule: 'Only a newer request than the one judged last delivers anything',
      section: 'Early frames',
      breaks: 'early_data_once',
    },
    {
      name: 'early-window',
      rule: 'Only a request of the last 60 s delivers anything, however its stamp grew',
      section: 'Early frames',
      breaks: 'early_data_once',
    },
    {
      name: 'early-memory',
      rule: 'A judgement is kept while another request of the same hello may count: 60 s, and as long as these are apart',
      section: 'Early frames',
      breaks: 'early_data_once',
    },
    {
      name: 'early-spread',
      rule: 'R puts a hello only into requests whose ts are at most 60 s apart',
      section: 'Hello',
      breaks: 'early_data_once',
    },
    {
      name: 'early-clock',
      rule: "T's clock never goes back for this",
      section: 'Early frames',
      breaks: 'early_data_once',
    },
  ],
}
