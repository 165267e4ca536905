use super::*;
use crate::DataType;

fn of(function: Function, input: &str) -> Result<String, DoesNotFit> {
    let input = (input != "*").then(|| input.parse::<DataType>().unwrap());
    function.output(input).map(|output| output.to_string())
}

fn three() -> ListSize {
    ListSize::new(3).unwrap()
}

fn median() -> Quantile {
    Quantile::new(0.5).unwrap()
}

fn every_function() -> [Function; 17] {
    [
        Function::Count,
        Function::Sum,
        Function::Avg,
        Function::Min,
        Function::Max,
        Function::StddevSamp,
        Function::StddevPop,
        Function::VarSamp,
        Function::VarPop,
        Function::First,
        Function::Last,
        Function::LastN { n: three() },
        Function::FirstN { n: three() },
        Function::CountDistinct,
        Function::ApproxCountDistinct,
        Function::ApproxPercentile { p: median() },
        Function::TopK { k: three() },
    ]
}

#[test]
fn every_function_has_a_word_and_reads_back() {
    let names = every_function().map(|function| function.name());
    assert_eq!(names, Function::NAMES);
    for function in every_function() {
        let json = serde_json::to_string(&function).unwrap();
        assert_eq!(serde_json::from_str::<Function>(&json).unwrap(), function);
        assert!(json.contains(function.name()), "{json}");
    }
}

#[test]
fn a_function_gives_the_type_that_its_column_asks_for() {
    let list = Function::LastN { n: three() };
    for (function, input, output) in [
        (Function::Count, "*", "int64"),
        (Function::Count, "array<string>", "int64"),
        (Function::Sum, "int32", "int64"),
        (Function::Sum, "float32", "float64"),
        (Function::Avg, "bool", "float64"),
        (Function::Avg, "int64", "float64"),
        (Function::Min, "float32", "float32"),
        (Function::Max, "timestamp", "timestamp"),
        (Function::Last, "bytes", "bytes"),
        (Function::VarPop, "int32", "float64"),
        (list, "string", "array<string>"),
        (Function::TopK { k: three() }, "bool", "array<bool>"),
        (Function::CountDistinct, "string", "int64"),
        (
            Function::ApproxPercentile { p: median() },
            "int64",
            "float64",
        ),
    ] {
        assert_eq!(of(function, input).as_deref(), Ok(output), "{function:?}");
    }
}

#[test]
fn a_function_that_does_not_fit_says_what_it_takes() {
    for (function, input, said) in [
        (
            Function::Sum,
            "string",
            "`sum` does not fit a column of type string: it takes int32, int64, float32 and float64",
        ),
        (
            Function::Sum,
            "bool",
            "`sum` does not fit a column of type bool: it takes numbers; `avg` gives the share of \
             true, `count` with a filter their number",
        ),
        (
            Function::Max,
            "array<int64>",
            "`max` does not fit a column of type array<int64>: it takes everything but arrays",
        ),
        (
            Function::Avg,
            "*",
            "`avg` needs a column: only `count` takes `*`",
        ),
    ] {
        assert_eq!(of(function, input).unwrap_err().to_string(), said);
    }
}

#[test]
fn a_list_has_1_to_1000_values_and_a_percentile_lies_between_0_and_1() {
    for text in ["0", "1001", "-1", "3.5", "three", "70000"] {
        assert!(text.parse::<ListSize>().is_err(), "{text}");
    }
    assert_eq!("1000".parse(), Ok(ListSize::MAX));
    for text in ["0", "1", "-0.5", "NaN", "half"] {
        assert!(text.parse::<Quantile>().is_err(), "{text}");
    }
    assert_eq!("0.5".parse(), Ok(median()));
}

#[test]
fn a_function_is_printed_with_its_column_and_parameter() {
    let printed = |function: Function, column| function.over(column).to_string();
    assert_eq!(printed(Function::Count, None), "count(*)");
    let delay = Some("arr_delay");
    assert_eq!(printed(Function::Avg, delay), "avg(arr_delay)");
    let median = Function::ApproxPercentile { p: median() };
    assert_eq!(printed(median, delay), "approx_percentile(arr_delay, 0.5)");
}
