//! From requests to what the guest takes.

use std::borrow::Cow;

use message::{Contents, Datatype, Prediction, Refusal, Request, Tensor};

use crate::contract::{GuestContents, GuestRequest, GuestTensor, borrow};
use crate::description::{Description, TensorType};
use crate::fault::line;

/// The requests of a call that fit the description, and a refusal for each that does not.
pub(crate) struct Accepted<'a> {
    /// The tensors of all accepted requests, in the order of the description.
    inputs: Vec<Input<'a>>,
    requests: Cow<'a, [&'a Request]>,
    /// By position among all requests of the call.
    refusals: Vec<(usize, Refusal)>,
}

/// A tensor as a model asked for it.
struct Input<'a> {
    name: &'a str,
    shape: &'a [u32],
    elements: Elements<'a>,
}

enum Elements<'a> {
    Numbers(GuestContents<'a>),
    Texts(Vec<&'a str>),
    Blobs(Vec<&'a [u8]>),
}

impl<'a> Accepted<'a> {
    pub(crate) fn new(description: &'a Description, requests: &'a [&'a Request]) -> Self {
        let mut inputs = Vec::with_capacity(requests.len() * description.inputs.len());
        let mut refusals = Vec::new();
        for (position, request) in requests.iter().enumerate() {
            if let Err(message) = take(&mut inputs, description, request) {
                refusals.push((position, Refusal::InvalidInput(message)));
            }
        }
        let requests = Self::left(requests, &refusals);
        Self { inputs, requests, refusals }
    }

    fn left(requests: &'a [&'a Request], refusals: &[(usize, Refusal)]) -> Cow<'a, [&'a Request]> {
        if refusals.is_empty() {
            return Cow::Borrowed(requests);
        }
        let refused = |position: usize| refusals.binary_search_by_key(&position, |it| it.0).is_ok();
        let left = requests.iter().enumerate().filter(|(position, _)| !refused(*position));
        left.map(|(_, request)| *request).collect()
    }

    /// How many requests the guest is to answer.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The first request that the guest is to answer.
    pub(crate) fn first(&self) -> Option<&'a Request> {
        self.requests.first().copied()
    }

    /// The tensors of all accepted requests, for [`requests`](Self::requests) to borrow.
    pub(crate) fn tensors(&self) -> Vec<GuestTensor<'_>> {
        let tensor = |input| {
            let Input { name, shape, elements }: &Input<'_> = input;
            let contents = match elements {
                Elements::Numbers(numbers) => numbers.clone(),
                Elements::Texts(texts) => GuestContents::Texts(texts),
                Elements::Blobs(blobs) => GuestContents::Blobs(blobs),
            };
            GuestTensor { name, shape, contents }
        };
        self.inputs.iter().map(tensor).collect()
    }

    /// The requests as the guest takes them.
    pub(crate) fn requests<'b>(&'b self, tensors: &'b [GuestTensor<'b>]) -> Vec<GuestRequest<'b>> {
        let count = tensors.len() / self.requests.len().max(1);
        let request = |(position, request): (usize, &&'b Request)| GuestRequest {
            id: request.id.as_str(),
            time_us: request.time.as_us(),
            inputs: &tensors[position * count..(position + 1) * count],
        };
        self.requests.iter().enumerate().map(request).collect()
    }

    /// Puts the refusals in their places between what the guest answered.
    pub(crate) fn merge(
        self,
        mut answered: Vec<Result<Prediction, Refusal>>,
    ) -> Vec<Result<Prediction, Refusal>> {
        // Ascending, so that each lands where it belongs among those that are already there.
        for (position, refusal) in self.refusals {
            answered.insert(position, Err(refusal));
        }
        answered
    }
}

/// Adds the inputs of a request if all of them fit, and none otherwise.
fn take<'a>(
    inputs: &mut Vec<Input<'a>>,
    description: &'a Description,
    request: &'a Request,
) -> Result<(), String> {
    let before = inputs.len();
    for (position, expected) in description.inputs.iter().enumerate() {
        match input(expected, position, request) {
            Ok(input) => inputs.push(input),
            Err(message) => {
                inputs.truncate(before);
                return Err(message);
            }
        }
    }
    Ok(())
}

fn input<'a>(
    expected: &'a TensorType,
    position: usize,
    request: &'a Request,
) -> Result<Input<'a>, String> {
    let name = expected.name.as_str();
    // Callers tend to keep the order of the description.
    let there = request.inputs.get(position).filter(|tensor| tensor.name == name);
    let tensor = there
        .or_else(|| request.inputs.iter().find(|tensor| tensor.name == name))
        .ok_or_else(|| missing(expected, request))?;
    let wrong = || {
        let found = format!("{}{:?}", tensor.contents.datatype(), tensor.shape);
        format!("input {name:?} is {found}, expected {expected}")
    };
    if !expected.fits(&tensor.shape) {
        return Err(wrong());
    }
    if Tensor::element_count(&tensor.shape) != Some(tensor.contents.len()) {
        let (found, shape) = (tensor.contents.len(), &tensor.shape);
        return Err(format!("input {name:?} has {found} elements, expected those of {shape:?}"));
    }
    let elements = elements(expected.datatype, &tensor.contents).ok_or_else(wrong)?;
    let elements = elements.map_err(|position| {
        format!("element {position} of input {name:?} is no UTF-8, expected text")
    })?;
    Ok(Input { name, shape: &tensor.shape, elements })
}

/// The elements as the model wants them. `BYTES` on the wire are text or not as the model likes:
/// returns the position of the first that is no text where it has to be.
fn elements(expected: Datatype, contents: &Contents) -> Option<Result<Elements<'_>, usize>> {
    Some(Ok(match (expected, contents) {
        (Datatype::Text, Contents::Texts(texts)) => {
            Elements::Texts(texts.iter().map(String::as_str).collect())
        }
        (Datatype::Text, Contents::Blobs(blobs)) => return Some(texts(blobs).map(Elements::Texts)),
        (Datatype::Blob, Contents::Texts(texts)) => {
            Elements::Blobs(texts.iter().map(String::as_bytes).collect())
        }
        (Datatype::Blob, Contents::Blobs(blobs)) => {
            Elements::Blobs(blobs.iter().map(Vec::as_slice).collect())
        }
        (expected, contents) if contents.datatype() == expected => {
            Elements::Numbers(borrow(contents)?)
        }
        _ => return None,
    }))
}

fn texts(blobs: &[Vec<u8>]) -> Result<Vec<&str>, usize> {
    let text = |(position, blob)| str::from_utf8(blob).map_err(|_error| position);
    blobs.iter().map(Vec::as_slice).enumerate().map(text).collect()
}

fn missing(expected: &TensorType, request: &Request) -> String {
    let names: Vec<&str> = request.inputs.iter().map(|tensor| tensor.name.as_str()).collect();
    let name = &expected.name;
    line(&format!("input {name:?} is missing, expected {expected}, found {names:?}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use message::Time;

    use super::*;

    fn description(types: &[(&str, Datatype, &[i32])]) -> Description {
        let tensor = |&(name, datatype, shape): &(&str, Datatype, &[i32])| {
            TensorType::new(name, datatype, shape).unwrap()
        };
        let inputs = types.iter().map(tensor).collect();
        Description { inputs, outputs: Vec::new(), batch_limit: 0, stateless: true }
    }

    fn request(inputs: Vec<Tensor>) -> Request {
        Request {
            id: "id".into(),
            time: Time::from_us(7),
            deadline: Time::NEVER,
            key: None,
            tenant: None,
            caller_id: None,
            inputs,
            parameters: BTreeMap::new(),
            outputs: Vec::new(),
        }
    }

    fn refusal(types: &[(&str, Datatype, &[i32])], inputs: Vec<Tensor>) -> String {
        let (description, request) = (description(types), request(inputs));
        let requests = [&request];
        let accepted = Accepted::new(&description, &requests);
        assert_eq!(accepted.len(), 0);
        accepted.merge(Vec::new()).remove(0).unwrap_err().message().to_owned()
    }

    fn floats(name: &str, count: u32) -> Tensor {
        Tensor::new(name, [count], Contents::F32s(vec![1.5; count as usize]))
    }

    const TYPE: &[(&str, Datatype, &[i32])] = &[("x", Datatype::Fp32, &[2])];

    #[test]
    fn a_refusal_says_what_was_found_and_what_was_expected() {
        let missing = "input \"x\" is missing, expected FP32[2], found [\"y\"]";
        assert_eq!(refusal(TYPE, vec![floats("y", 2)]), missing);
        assert_eq!(refusal(TYPE, vec![floats("x", 3)]), "input \"x\" is FP32[3], expected FP32[2]");
        let ints = Tensor::new("x", [2], Contents::S64s(vec![1, 2]));
        assert_eq!(refusal(TYPE, vec![ints]), "input \"x\" is INT64[2], expected FP32[2]");
        let short = Tensor::new("x", [2], Contents::F32s(vec![1.0]));
        assert_eq!(refusal(TYPE, vec![short]), "input \"x\" has 1 elements, expected those of [2]");
        let scalar = Tensor::new("x", [], Contents::F32s(vec![1.0]));
        assert_eq!(refusal(TYPE, vec![scalar]), "input \"x\" is FP32[], expected FP32[2]");
    }

    #[test]
    fn the_guest_gets_what_it_named_in_its_order() {
        let types: &[(&str, Datatype, &[i32])] =
            &[("b", Datatype::Fp32, &[1]), ("a", Datatype::Fp32, &[-1])];
        let description = description(types);
        let request = request(vec![floats("a", 3), floats("unused", 9), floats("b", 1)]);
        let requests = [&request];
        let accepted = Accepted::new(&description, &requests);
        let tensors = accepted.tensors();
        let requests = accepted.requests(&tensors);
        assert_eq!((requests.len(), requests[0].id, requests[0].time_us), (1, "id", 7));
        let names: Vec<&str> = requests[0].inputs.iter().map(|tensor| tensor.name).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn refusals_keep_their_places_between_answers() {
        let description = description(TYPE);
        let (good, bad) = (request(vec![floats("x", 2)]), request(Vec::new()));
        let requests = [&bad, &good, &bad, &bad, &good];
        let accepted = Accepted::new(&description, &requests);
        assert_eq!((accepted.len(), accepted.tensors().len()), (2, 2));
        let answer = || Ok(Prediction { outputs: Vec::new(), notes: Vec::new() });
        let merged = accepted.merge(vec![answer(), answer()]);
        let answered: Vec<bool> = merged.iter().map(Result::is_ok).collect();
        assert_eq!(answered, [false, true, false, false, true]);
    }

    #[test]
    fn bytes_are_text_or_not_as_the_model_likes() {
        let check = |datatype, contents| {
            let description = description(&[("x", datatype, &[1])]);
            let request = request(vec![Tensor::new("x", [1], contents)]);
            let requests = [&request];
            let accepted = Accepted::new(&description, &requests);
            accepted.tensors().first().map(|tensor| match tensor.contents {
                GuestContents::Texts(texts) => Datatype::Text == datatype && texts == ["a"],
                GuestContents::Blobs(blobs) => Datatype::Blob == datatype && blobs == [b"a"],
                _ => false,
            })
        };
        let text = || Contents::Texts(vec!["a".to_owned()]);
        let blob = |bytes: &[u8]| Contents::Blobs(vec![bytes.to_vec()]);
        assert_eq!(check(Datatype::Blob, text()), Some(true));
        assert_eq!(check(Datatype::Blob, blob(b"a")), Some(true));
        assert_eq!(check(Datatype::Text, text()), Some(true));
        assert_eq!(check(Datatype::Text, blob(b"a")), Some(true));
        assert_eq!(check(Datatype::Text, blob(&[0xff])), None);
        assert_eq!(check(Datatype::Bool, text()), None);
    }
}
